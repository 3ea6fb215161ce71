"""The report of a gate as a comment on the pull or merge request, posted with the platform's own token.

A later run replaces the comment of an earlier one.
"""

import json
import os
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any, NamedTuple

from bench.core.text import one_line
from bench.gate.settings import at, event_of

MARK = "<!-- scratchbench gate -->"
"""Stands in the comment and says that it is the gate's."""
SECONDS = 30
MOST_COMMENTS = 100
"""Looked through for an earlier one."""
MOST_CHARACTERS = 60_000
"""GitHub refuses a comment of more than 65,536."""
FORBIDDEN = (401, 403, 404)
"""GitHub answers 404 too if a token may not see something."""


class Place(NamedTuple):
    """Where comments are listed and made, where one of them is changed, by which method and with which headers."""

    url: str
    one: str
    method: str
    headers: Mapping[str, str]


class CommentError(Exception):
    """Says why there is no comment, and what to do."""


def comment(markdown: str, environment: Mapping[str, str] = os.environ) -> None:
    """Make the comment, or change that of an earlier run.

    Raises CommentError: if this is no pull or merge request, or the platform refuses.
    """
    place = _gitlab(environment) if "CI_API_V4_URL" in environment else _github(environment)
    body = {"body": f"{MARK}\n{_shortened(markdown)}"}
    earlier = _send(place, f"{place.url}?per_page={MOST_COMMENTS}", "GET")
    ours = [one["id"] for one in earlier if str(one.get("body")).startswith(MARK)]
    if ours:
        _send(place, f"{place.one}/{ours[0]}", place.method, body)
    else:
        _send(place, place.url, "POST", body)


def _shortened(markdown: str) -> str:
    """Whole lines, as many as a comment may have."""
    if len(markdown) <= MOST_CHARACTERS:
        return markdown
    whole = markdown[:MOST_CHARACTERS].rpartition("\n")[0]
    return f"{whole}\n\nThe report is too long for a comment; gate.md has all of it."


def _github(environment: Mapping[str, str]) -> Place:
    if "GITHUB_REPOSITORY" not in environment:
        raise CommentError("it works in the CI of GitHub and of GitLab, and this is neither")
    needed = ("GITHUB_TOKEN", "GITHUB_REPOSITORY", "GITHUB_EVENT_PATH")
    _need(environment, needed, "in the step's env: GITHUB_TOKEN: ${{ github.token }}")
    number = at(event_of(environment), ("pull_request", "number"))
    if number is None:
        raise CommentError("this run is not of a pull request, so there is nothing to comment on")
    api = f"{environment.get('GITHUB_API_URL', 'https://api.github.com')}/repos/{environment['GITHUB_REPOSITORY']}"
    headers = {"Authorization": f"Bearer {environment['GITHUB_TOKEN']}", "Accept": "application/vnd.github+json"}
    return Place(f"{api}/issues/{number}/comments", f"{api}/issues/comments", "PATCH", headers)


def _gitlab(environment: Mapping[str, str]) -> Place:
    needed = ("GITLAB_TOKEN", "CI_PROJECT_ID", "CI_MERGE_REQUEST_IID")
    _need(
        environment, needed, "make a project access token with the scope api and keep it as the variable GITLAB_TOKEN"
    )
    project = f"{environment['CI_API_V4_URL']}/projects/{environment['CI_PROJECT_ID']}"
    notes = f"{project}/merge_requests/{environment['CI_MERGE_REQUEST_IID']}/notes"
    return Place(notes, notes, "PUT", {"PRIVATE-TOKEN": environment["GITLAB_TOKEN"]})


def _need(environment: Mapping[str, str], names: tuple[str, ...], remedy: str) -> None:
    if missing := [name for name in names if not environment.get(name)]:
        raise CommentError(f"{', '.join(missing)}: not set; {remedy}")


def _send(place: Place, url: str, method: str, body: Mapping[str, str] | None = None) -> Any:
    data = json.dumps(body).encode() if body else None
    headers = {**place.headers, "Content-Type": "application/json", "User-Agent": "scratchbench"}
    request = urllib.request.Request(url, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        remedy = "; it needs the permission to write comments, which a request from a fork does not have"
        told = remedy if error.code in FORBIDDEN else ""
        raise CommentError(f"{method} {url}: {error.code} {one_line(error.reason, 100)}{told}") from None
    except (OSError, ValueError) as error:
        raise CommentError(f"{method} {url}: {one_line(error, 200)}") from None
