"""The command line: results on stdout, progress and messages on stderr.

Exit status: 0 done; 1 not answered, some input refused, or an error that is not the caller's
spelling; 2 wrong usage.
"""

from __future__ import annotations

import argparse
import io
import logging
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from rag.errors import InvalidInput, RagError

_LAST_PORT = 65_535
_FOLDER = "only files in this folder, such as handbook/archive; may be repeated"
_TYPE = "only files with this extension, such as pdf; may be repeated"
_ACCESS = "who may come in over HTTP, and what they may do"


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs one command and exits with its status."""
    options = _parser().parse_args(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # documents hold more than some terminals show
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s")
    try:
        # Imported late: `rag --help` must not wait for the libraries behind the commands.
        status = getattr(import_module(options.module), f"run_{options.command}")(options)
        sys.stdout.flush()
    except InvalidInput as error:
        print(f"rag: {error}", file=sys.stderr)
        status = 2
    except RagError as error:
        print(f"rag: {error}", file=sys.stderr)
        status = 1
    except KeyboardInterrupt:
        print("rag: stopped; what is done stays done: the same command goes on", file=sys.stderr)
        status = 130
    except BrokenPipeError:  # the reader of our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 0
    sys.exit(status)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="rag",
        description="Ask in your own words, get the exact words of your own files.",
    )
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--home", type=Path, help="where the index lives (default: RAG_HOME, .rag)")
    common.add_argument("--json", action="store_true", help="print JSON")
    writing = argparse.ArgumentParser(add_help=False)
    writing.add_argument("--wait", action="store_true", help="wait for another writer to finish")
    within = argparse.ArgumentParser(add_help=False)
    within.add_argument("--collection", default="default", metavar="C", type=_text)
    asking = argparse.ArgumentParser(add_help=False)
    asking.add_argument("question", type=_text)
    asking.add_argument("--top-k", type=int, default=5, metavar="N", help="passages (1-100)")
    asking.add_argument("--folder", action="append", metavar="F", type=_text, help=_FOLDER)
    asking.add_argument("--type", action="append", metavar="T", type=_text, help=_TYPE)
    asking.add_argument("--since", metavar="DATE", type=_text, help="no older files: YYYY-MM-DD")
    asking.add_argument("--until", metavar="DATE", type=_text, help="no newer files: YYYY-MM-DD")
    following = argparse.ArgumentParser(add_help=False)
    following.add_argument(
        "--after", action="append", default=[], metavar="Q", type=_text, help="a question before it"
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def command(name: str, summary: str, *parents: Any) -> argparse.ArgumentParser:
        added = commands.add_parser(
            name, parents=[common, *parents], help=summary, description=summary
        )
        added.set_defaults(module="rag.commands", command=name)
        return added

    _add_ingest(command("ingest", "bring the index in step with files", within, writing))
    command("ask", "the answer with its citation, then the passages", asking, within, following)
    command("search", "the nearest passages", asking, within)
    why = "what was considered for an answer, and why it won or lost"
    command("why", why, asking, within, following)
    command("documents", "what is indexed", within)
    remove = command("remove", "forget a document", within, writing)
    remove.add_argument(
        "source", metavar="SOURCE", type=_text, help="its path in its folder, or its id"
    )
    verify = command("verify", "whether the citations of a saved reply still hold")
    verify.add_argument("file", metavar="FILE", type=Path, help="replies or citations; - is stdin")
    command("collections", "the collections and their sizes")
    command("status", "where the index is and what it holds")
    doctor = command("doctor", "whether everything agrees", writing)
    doctor.add_argument("--repair", action="store_true", help="mend what can be mended")
    backup = command("backup", "copy the whole index to a new folder", writing)
    backup.add_argument("to", metavar="TO", type=Path, help="the folder to make")
    restore = command("restore", "make the index what it was at a backup", writing)
    restore.add_argument("source", metavar="FROM", type=Path, help="a folder made by rag backup")
    restore.add_argument("--replace", action="store_true", help="in the place of what is there")
    command("rebuild", "re-encode everything with the configured model", writing)
    _add_tokens(commands.add_parser("token", help=_ACCESS, description=_ACCESS), common)
    serve = command("serve", "ingest the paths, then serve the API and the page")
    serve.add_argument("paths", nargs="*", type=Path, metavar="PATH")
    serve.add_argument("--host", default="127.0.0.1")
    serve.add_argument("--port", type=_port, default=8000, help="0 takes any that is free")
    serve.add_argument("--read-only", action="store_true", help="change nothing, on any disk")
    _add_evaluation(command("eval", "ask a set of questions and score the replies", within))
    return parser


def _add_ingest(ingest: argparse.ArgumentParser) -> None:
    ingest.set_defaults(module="rag.ingesting")
    add = ingest.add_argument
    add("paths", nargs="+", type=Path, metavar="PATH")
    globs: dict[str, Any] = {"action": "append", "default": [], "metavar": "GLOB", "type": _text}
    add("--include", **globs, help="only files like this, such as '*.md'; may be repeated")
    add("--exclude", **globs, help="no files like this, such as drafts/; may be repeated")
    add("--prune", action="store_true", help="forget vanished files, however many")
    add("--dry-run", action="store_true", help="only say what would be done")
    add("--watch", action="store_true", help="go on, and keep in step with the folders")


def _add_tokens(token: argparse.ArgumentParser, common: argparse.ArgumentParser) -> None:
    actions = token.add_subparsers(title="actions", metavar="ACTION", required=True)

    def action(name: str, summary: str) -> argparse.ArgumentParser:
        added = actions.add_parser(name, parents=[common], help=summary, description=summary)
        added.set_defaults(module="rag.commands", command=f"token_{name}")
        return added

    add = action("add", "make a token and print it, once")
    add.add_argument("name", metavar="NAME", type=_text)
    add.add_argument("--write", action="store_true", help="it may change things, too")
    add.add_argument(
        "--collection", nargs="+", metavar="C", type=_text, help="for these alone (default: all)"
    )
    action("list", "the tokens and what they may do")
    remove = action("remove", "take a token back, at once")
    remove.add_argument("name", metavar="NAME", type=_text)


def _add_evaluation(evaluate: argparse.ArgumentParser) -> None:
    add = evaluate.add_argument
    add("questions", type=Path, metavar="QUESTIONS", help="JSON lines, CSV, SQuAD, a BEIR folder")
    add("--mode", choices=["open", "reader"], help="ask the index, or read SQuAD's own paragraphs")
    add("--corpus", nargs="+", type=Path, metavar="PATH", help="use an index of these files alone")
    add("--qrels", type=Path, metavar="FILE", help="judgements of TREC or BEIR for the questions")
    add("--partial", action="store_true", help="leave out the lines that are wrong")
    add("--out", type=Path, metavar="DIR", help="write run.json and report.html there")
    add("--trec", type=Path, metavar="FILE", help="write a run for trec_eval")
    add("--predictions", type=Path, metavar="FILE", help="write the answers for SQuAD's script")
    add("--baseline", type=Path, metavar="RUN.json", help="compare with a run made before")
    add("--compare-anyway", action="store_true", help="although questions or documents differ")
    add(
        "--gate",
        nargs="?",
        type=Path,
        const=True,
        metavar="FILE",
        help="fail where a limit of this file is broken (default: gate.toml beside QUESTIONS)",
    )
    add("--calibrate", action="store_true", help="fit confidence and threshold to these questions")
    add("--max-wrong", type=float, default=0.05, metavar="SHARE", help="of answers (0.05)")


def _port(argument: str) -> int:
    if not argument.isdecimal() or int(argument) > _LAST_PORT:
        raise argparse.ArgumentTypeError(f"give a number from 0 to {_LAST_PORT}")
    return int(argument)


def _text(argument: str) -> str:
    try:
        argument.encode()
    except UnicodeEncodeError as error:
        raise argparse.ArgumentTypeError("not valid UTF-8") from error
    return argument
