"""Admin in the browser: screens of plain forms, each of which asks the API as any other client does."""
