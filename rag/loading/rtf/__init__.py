"""Rich Text: its words and groups to paragraphs."""
