"""Known paragraphs laid out by other programs: ReportLab, and Chromium through Playwright."""

from __future__ import annotations

import html
import io
import random
import shutil
from collections.abc import Sequence

from tests.bench.pdf_pages import Block, Made, content

_TITLE = "Report of the northern survey"


def by_reportlab(seed: int, columns: int, blocks: int = 60) -> Made:
    """Frames and flowing text of ReportLab; its outline names the headings of some documents."""
    from reportlab.lib.pagesizes import A4, LETTER  # noqa: PLC0415 - only where it is asked for
    from reportlab.lib.styles import ParagraphStyle  # noqa: PLC0415
    from reportlab.pdfgen.canvas import Canvas  # noqa: PLC0415
    from reportlab.platypus import (  # noqa: PLC0415
        BaseDocTemplate,
        Frame,
        PageTemplate,
        Paragraph,
    )

    chance = random.Random(seed * 10 + columns)  # noqa: S311 - nothing secret
    width, height = chance.choice([A4, LETTER])
    size = chance.choice([9, 10, 11]) if columns == 1 else chance.choice([8, 9, 10])
    gap, margin = chance.choice([0, 3, 6, 10]), chance.uniform(40, 80)
    text = ParagraphStyle(
        "text",
        fontName=chance.choice(["Times-Roman", "Helvetica"]),
        fontSize=size,
        leading=size * chance.uniform(1.15, 1.5),
        alignment=chance.choice([0, 4]),
        spaceAfter=gap,
        firstLineIndent=0 if gap else 14,
    )
    item = ParagraphStyle("item", parent=text, leftIndent=14, firstLineIndent=-14)
    heading = ParagraphStyle(
        "heading",
        parent=text,
        fontName="Helvetica-Bold",
        alignment=0,
        firstLineIndent=0,
        spaceBefore=8,
        spaceAfter=4,
        fontSize=size * chance.choice([1, 1.2, 1.4]),
        leading=size * 1.7,
    )
    styles = {"paragraph": text, "item": item, "heading": heading}
    header, footer = chance.choice(["", _TITLE]), chance.choice(["", "Page {}", "{}"])

    def furnish(canvas: Canvas, _: object) -> None:
        canvas.setFont("Helvetica", 8)
        canvas.drawString(margin, height - 30, header)
        canvas.drawCentredString(width / 2, 25, footer.format(canvas.getPageNumber()))

    written = list(content(chance, blocks))
    out = io.BytesIO()
    room = (width - 2 * margin - (columns - 1) * 18) / columns
    frames = [
        Frame(margin + n * (room + 18), 50, room, height - 110, 0, 0, 0, 0) for n in range(columns)
    ]
    document = BaseDocTemplate(out, pagesize=(width, height))
    document.addPageTemplates(PageTemplate(frames=frames, onPage=furnish))
    document.build([Paragraph(html.escape(one.text), styles[one.kind]) for one in written])
    return Made(out.getvalue(), tuple(one.text for one in written))


def by_chromium(seeds: Sequence[int], columns: int, blocks: int = 60) -> list[Made]:
    """Pages that Chromium prints."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - only where it is asked for

    made = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--headless", "--no-sandbox"]
        )
        page = browser.new_page()
        for seed in seeds:
            chance = random.Random(seed * 10 + columns)  # noqa: S311 - nothing secret
            written = list(content(chance, blocks))
            page.set_content(_html(chance, columns, written))
            footer = "<div style='font-size:8px;width:100%;text-align:center'>" + chance.choice(
                ["", "<span class=pageNumber></span>", "Page <span class=pageNumber></span> of "
                 "<span class=totalPages></span>"]) + "</div>"  # fmt: skip
            header = chance.choice(["<i></i>", f"<div style='font-size:8px'>{_TITLE}</div>"])
            data = page.pdf(
                display_header_footer=True,
                header_template=header,
                footer_template=footer,
                outline=chance.random() < 0.5,
                tagged=True,
                margin={"top": "2cm", "bottom": "2cm", "left": "2cm", "right": "2cm"},
            )
            made.append(Made(data, tuple(one.text for one in written)))
        browser.close()
    return made


def _html(chance: random.Random, columns: int, blocks: Sequence[Block]) -> str:
    indent = chance.choice([0, 1.5])
    size = chance.choice([8, 9, 10, 11])
    tags = {"heading": "h2", "paragraph": "p", "item": "p class=item"}
    body = "\n".join(
        f"<{tags[one.kind]}>{html.escape(one.text)}</{tags[one.kind].split()[0]}>" for one in blocks
    )
    return f"""<html lang=en><style>
    body {{ font: {size}pt/{chance.uniform(1.15, 1.6):.2f} {chance.choice(["serif", "sans-serif"])};
        text-align: {chance.choice(["left", "justify"])};
        hyphens: {chance.choice(["auto", "manual"])}; margin: 0 }}
    main {{ columns: {columns if columns > 1 else "auto"}; column-gap: 6mm }}
    p {{ margin: 0 0 {0 if indent else chance.uniform(4, 10):.1f}pt; text-indent: {indent}em }}
    h2 {{ font-size: {chance.choice([1, 1.2, 1.5])}em; margin: 8pt 0 3pt; break-after: avoid }}
    .item {{ padding-left: 1.5em; text-indent: -1.5em }}
    </style><main>{body}</main></html>"""
