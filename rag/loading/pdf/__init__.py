"""PDF: words and rules on pages to paragraphs, headings and tables."""
