"""`scratchbench gate bisect`: the commit that made something slower, each decision with its part of the error."""

import json

import pytest

from bench.gate.find_commit import Search

ECHO = ("--command", "cat {tree}/seconds", "--own-clock")


@pytest.mark.parametrize("last", [1, 2, 3, 10, 17])
@pytest.mark.parametrize("place", ["first", "last", "middle"])
def test_a_search_finds_the_first_commit_that_fails(last, place):
    slow = {"first": 1, "last": last, "middle": (last + 1) // 2}[place]
    search, judged = Search(last), []

    def judge(at):
        judged.append(at)
        return "fail" if at >= slow else "pass"

    search.run(judge)
    assert (search.good, search.bad) == (slow - 1, slow)
    assert len(judged) <= search.most // 2 - 1
    assert len(set(judged)) == len(judged)


def test_commits_without_a_verdict_are_passed_over():
    search = Search(8)
    search.run(lambda at: "no verdict" if at == 4 else "fail" if at >= 6 else "pass")
    assert (search.good, search.bad) == (5, 6)


def test_where_nothing_can_be_decided_the_range_is_left():
    search = Search(8)
    search.run(lambda at: "undecided" if at in (4, 5) else "fail" if at >= 6 else "pass")
    assert (search.good, search.bad, search.unknown) == (3, 6, {4, 5})


def test_the_error_of_all_gates_together_is_that_of_the_search():
    search, gates = Search(100), 1
    judged = iter(["undecided"] * 1000)

    def judge(at):
        nonlocal gates
        gates += 1
        return next(judged)

    search.run(judge)
    assert gates == search.most == 16


@pytest.fixture
def history(repo):
    """A commit for each text: what the benchmark says it takes."""

    def make(*seconds):
        return [repo.commit(seconds=f"{text}\n", number=str(number)) for number, text in enumerate(seconds)]

    return make


@pytest.fixture
def bisect(bench, tmp_path):
    def run(good, bad, *arguments):
        out = tmp_path / "bisect"
        code, printed, err = bench("gate", "bisect", good, bad, *ECHO, *arguments, out=out)
        written = json.loads((out / "bisect.json").read_text()) if (out / "bisect.json").exists() else None
        return code, printed or err, written

    return run


def test_the_slower_commit_is_named(repo, history, bisect, tmp_path):
    commits = history(1.0, 1.0, 1.0, 1.3, 1.3, 1.3)
    before = repo.state
    code, out, written = bisect(commits[0], commits[-1])
    assert code == 0, out
    short = repo.git("log", "-1", "--format=%h", commits[3]).strip()
    assert out.startswith(f'FOUND: {short} "a revision" is the first commit that fails against ')
    assert "the probability that this is wrong is at most 1 %" in out.splitlines()[0]
    assert len(written["suspects"]) == 1
    alphas = {gate["alpha"] for gate in written["gates"].values()}
    assert alphas == {0.01 / 8}  # 1 + 3 gates halve 5 commits; as many again are for commits without a verdict
    assert all((tmp_path / "bisect" / name.split()[0]).name for name in written["gates"])
    assert repo.state == before


def test_commits_that_do_not_run_are_suspects_too(repo, history, bisect):
    commits = history(1.0, 1.0, "broken", 1.3, 1.3)
    code, out, written = bisect(commits[0], commits[-1])
    assert code == 3, out
    assert out.startswith("UNDECIDABLE between these 2 commits")
    assert [name.split()[0] for name in written["suspects"]] == [
        repo.git("log", "-1", "--format=%h", commit).strip() for commit in commits[2:4]
    ]


@pytest.mark.parametrize(
    ("last", "code", "said"),
    [(1.0, 1, "does not fail against"), ("broken", 4, "NO VERDICT: broken, not slower: the new side")],
)
def test_without_a_slowdown_there_is_nothing_to_find(history, bisect, last, code, said):
    commits = history(1.0, 1.0, last)
    ended, out, written = bisect(commits[0], commits[-1])
    assert ended == code
    assert out.startswith("NOT FOUND: ")
    assert said in out
    assert written["suspects"] == []


def test_an_undecided_bad_commit_says_what_would_decide_it(repo, bench):
    repo.commit(**{"time.sh": "echo 1.0\n"})
    repo.commit(**{"time.sh": "echo x >> runs; [ $(($(wc -l < runs) % 2)) = 0 ] && echo 0.9 || echo 1.2\n"})
    command = ("--command", "sh {tree}/time.sh", "--own-clock", "--minutes", "0.1")
    code, out, _ = bench("gate", "bisect", "HEAD~1", "HEAD", *command)
    assert code == 3, out
    assert "command: a verdict needs " in out or "command: the difference is too close to the tolerance" in out


def test_revisions_the_wrong_way_round_are_refused(history, bisect):
    commits = history(1.0, 1.3)
    code, out, _ = bisect(commits[1], commits[0])
    assert code == 2
    assert "is no ancestor of" in out


def test_a_revision_can_stand_for_the_work_tree(repo, history, bench, tmp_path):
    commits = history(1.0, 1.3)
    repo.write(seconds="broken")
    code, _, _ = bench("gate", "--against", commits[0], "--revision", commits[1], *ECHO)
    assert code == 1
    assert json.loads((tmp_path / "out" / "gate.json").read_text())["new"]["revision"] == commits[1]
