"""Models (Pydantic): what each address takes and answers, one file a noun; OpenAPI is made of them."""
