"""What programs are told of pages: feeds, site maps, twins in Markdown, cards."""
