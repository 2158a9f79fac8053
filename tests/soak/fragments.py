"""What hostile requests are broken with."""

from __future__ import annotations

NUMBERS = (
    *b"0 -0 -0.0 -1 1.0 1.5 1e2 NaN Infinity -Infinity 1e999 -1e999 1e-999".split(),
    *(b"9" * digits for digits in (16, 19, 20, 400, 4_299, 5_000)),
    b"1." + b"9" * 5_000,
)
TEXTS = (
    *(
        b'""',
        b'" "',
        b'"\\u0000"',
        b'"a\\u0000b"',
        b'"Where\\u0000"',
        b'"\\ud800"',
        b'"a\\udfffb"',
        b'"\\ude00\\ud83d"',
        b'"How\\udbff"',
    ),
    *(
        b'"' + raw + b'"'
        for raw in (b"\0", b"\xed\xa0\x80", b"\xff", b"\xc0\xaf", b"\xf4\x90\x80\x80")
    ),
    *(b'"' + raw + b'"' for raw in (b"\n", b"\\", b"\\x", b"\\u12", b"\x1b[31m", b"\xef\xbf\xbf")),
    '"\u202e\u2066a\u2069\u200f"'.encode(),
    '"\U0001f468\u200d\U0001f469"'.encode(),
    '"\u0130\u1e9e\ufb03\u0345"'.encode(),
    b'"' + "\u0301".encode() * 900 + b'"',
    *(b'"' + b"x" * size + b'"' for size in (1_001, 2_001, 8_001, 300_000)),
    b'"' + b" x" * 480 + b'"',
    b'"AND OR NOT ( : * ^ ~ [ TO ] { \\" \\\\ + - /"',
    *b'"../../etc/passwd" "/" "file:///etc/passwd" "C:\\\\a" "%00" "a/../b" "." "*"'.split(),
    *b'"2020-13-40" "0000-00-00" "9999-12-31" "-1-01-01" "2020-1-1" "2020-01-01T00:00Z"'.split(),
    b'"\xd9\xa2\xd9\xa0\xd9\xa2\xd9\xa0-01-01"',  # digits, but not ours
)
OTHERS = (
    *b"null true {} [] [[]]".split(),
    b"[" * 100_000,
    b"[" * 100_000 + b"]" * 100_000,
    b'{"a":' * 50_000,
    b"[" + b"1," * 50_000 + b"1]",
    b'1, "question": "Where?"',
    b'"a", "a": NaN, "a": "\\ud800"',
    b'1, "\\ud800": 1',
    b'1, "\\u0000": {"": []}',
    *(b"", b"1 2", b"'a'", b"/**/ 1", b"\xef\xbb\xbf1"),
)
JSON = (*NUMBERS, *TEXTS, *OTHERS)
MOSTLY = {"str": TEXTS, "int": NUMBERS, "float": NUMBERS}
"""What stands where a value should, by the type of what should."""

FIGURES = (
    *("-1", "0", "1e999", "NaN", "1.0", "+1", "0x1", "2020-13-40"),
    *("9" * digits for digits in (19, 20, 4_299, 5_000)),
    "%D9%A1",  # a digit, but not ours
)
ESCAPES = (
    *("%00", "%ff", "%", "%z", "%zz", "%ED%A0%80", "%25ff", "%2500", "%u0041", "%C0%AF"),
    *("%F4%90%80%80", "..", "%2e%2e", "%2f", "%5c", "%0d%0a", "%E2%80%AE", "+", ";", "*", "{id}"),
    *("%7Bid%7D", "%20", "%09", "a&a", "a=a", "#", "[]", "%25", "~", ""),
    "%00" * 2_000,
    "x" * 8_000,
    "x" * 8_001,
)
PIECES = (ESCAPES, FIGURES)
"""What stands in a path or a query; either kind is drawn as often as the other."""

METHODS = (
    *("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"),
    *("TRACE", "CONNECT", "PROPFIND", "ZQ", "get"),
)
PATHS = (
    *("/", "/v1", "/v1/", "/nowhere", "/docs", "/openapi.json", "/page/app.js"),
    *("/page/../app.py", "/docs/", "//v1/ask", "*", "/%"),
)
NAMES = ("LIMIT", "limit[]", "%00", "%ff", "x", "limit", "")
HEADERS = (
    *((name, b"x" * 60_000) for name in (b"cookie", b"authorization", b"x-request-id", b"accept")),
    *((name, b"\xff\xfe") for name in (b"host", b"authorization", b"if-none-match", b"accept")),
    *((b"authorization", it) for it in (b"", b"Bearer", b"Bearer \x01", b"Basic \xff", b"Digest")),
    *((b"content-length", it) for it in (b"9" * 30, b"9" * 5_000, b"-1", b"+1", b"\xb2", b"")),
    *((b"range", it) for it in (b"bytes=9999999999999999999-", b"bytes=-", b"bytes=0-0,1-1", b"x")),
    *((b"x-request-id", it) for it in (b"", b"<b>", b"a b", b"\xe9")),
    *((b"accept-encoding", it) for it in (b"gzip;q=NaN", b"\xff", b"gzip,br,*;q=0")),
    (b"if-modified-since", b"Thu, 99 Zqx 99999 99:99:99 GMT"),
    (b"content-encoding", b"gzip"),
    (b"transfer-encoding", b"chunked"),
    (b"expect", b"100-continue"),
    (b"origin", b"null"),
    (b"host", b""),
    (b"host", b"[::1"),
    (b"traceparent", b"00-zq-zq-zq"),
    (b"x-forwarded-for", b"zq"),
    (b"x-http-method-override", b"DELETE"),
)
BOUNDARIES = ("x", "", '"', '"x"', "y", "x" * 500, "x; boundary=y", "\u00e9", "x\t", "--x")
