"""DOCX: a document's XML to paragraphs as Word shows them."""
