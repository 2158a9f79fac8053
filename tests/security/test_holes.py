"""Holes that other question-answering servers had, and the tests that keep each closed here.

The reports are public: the advisories and issues of LightRAG, RAGFlow, Langflow, Open WebUI,
PrivateGPT, Chroma, localGPT and others. A row of `HOLES` is a class of them.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
HOLES: dict[str, tuple[str, ...]] = {
    # A file's name, or a route's, leads the server out of its folder.
    "a name becomes a path": (
        "api/test_paths.py::test_no_name_becomes_a_path",
        "api/test_uploads.py::test_names_are_display_text",
        "loading/test_files.py::test_links_stay_inside_or_are_refused",
        "loading/test_files.py::test_nothing_outside_is_opened",
    ),
    # A client gives a path, or a stored one is believed: any file is read or removed.
    "a path is taken from a client": (
        "api/test_paths.py::test_no_request_has_a_field_for_a_path",
        "api/test_paths.py::test_removing_a_document_leaves_its_file",
        "api/test_originals.py::test_a_file_that_is_gone_is_404",
        "store/test_rows.py::test_a_changed_origin_is_noticed",
    ),
    # An address in a document or a request makes the server call it, inside its network.
    "an address is fetched": (
        "security/test_addresses.py::test_no_address_in_a_document_is_asked_for",
        "security/test_session.py::test_nothing_leaves_this_machine",
        "security/test_source.py::test_no_module_unpickles_fetches_or_runs_what_it_is_given",
        "page/test_hostile.py::test_nothing_fires",
    ),
    # A web page gives its own name this machine's address, and so speaks to the server.
    "a name of the web is rebound": (
        "api/test_access.py::test_without_a_token_no_name_of_the_web_leads_to_documents",
        "api/test_access.py::test_a_page_of_another_site_changes_nothing",
        "api/test_scopes.py::test_no_other_origin_is_allowed",
    ),
    # Words of a document run as a script in the reader's browser.
    "a document scripts the page": (
        "page/test_hostile.py::test_nothing_fires",
        "page/test_hostile.py::test_the_page_uses_nothing_that_makes_markup_or_code",
        "api/test_access.py::test_policies",
        "api/test_access.py::test_headers_are_on_every_response",
        "api/test_documents.py::test_text_is_the_files_own",
        "api/test_originals.py::test_every_file_byte_for_byte",
    ),
    # Bytes that somebody supplied are unpickled, and so run.
    "something is unpickled": (
        "security/test_session.py::test_nothing_is_unpickled",
        "security/test_source.py::test_no_module_unpickles_fetches_or_runs_what_it_is_given",
        "security/test_floors.py::test_a_library_is_no_older_than_its_floor",
        "store/test_caches.py::test_every_damage_is_noticed_and_made_good",
    ),
    # Everybody may do everything by default, or where the secret was left out.
    "anybody is let in": (
        "cli/test_processes.py::test_another_host_needs_a_token",
        "api/test_access.py::test_every_route_off_the_public_list_wants_the_token",
        "api/test_access.py::test_wrong_tokens",
        "test_access.py::test_a_damaged_file_lets_nobody_in",
    ),
    # The body is read, and worked on, before anybody asks who sent it.
    "who it is is asked too late": (
        "api/test_access.py::test_without_the_token_no_body_is_read",
        "api/test_access.py::test_a_body_is_counted_before_it_is_parsed",
        "api/test_slow_clients.py::test_a_refused_gigabyte_is_not_taken",
    ),
    # Whoever knows or guesses a document's id sees it.
    "an id is as good as a key": (
        "api/test_scopes.py::test_no_route_shows_anything_of_another_collection",
        "api/test_scopes.py::test_it_looks_as_if_it_were_not_there",
        "api/test_scopes.py::test_a_reading_token_changes_nothing",
    ),
    # A small file unpacks to more than the machine has.
    "a file unpacks without end": (
        "loading/test_hostile.py::test_a_nasty_file_is_read_or_refused_at_its_own_cost",
        "loading/test_parser.py::test_too_much_memory",
        "loading/test_parser.py::test_too_much_processor_time",
        "loading/test_parser.py::test_too_much_text",
    ),
}


@pytest.mark.parametrize("test", sorted({test for tests in HOLES.values() for test in tests}))
def test_each_of_them_is_there(test: str) -> None:
    file, _, name = test.partition("::")
    tree = ast.parse((TESTS / file).read_text())
    assert name in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
