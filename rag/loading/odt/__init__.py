"""OpenDocument text: its XML to paragraphs as LibreOffice shows them."""
