"""A run on nodes without the head's folders gives what a run without dask gives."""

import json

from mini_cluster import ROOT, ended, what_was_learned


def nodes_variables(records):
    return {name for machine in records.machines.values() for name in machine.environment["variables"]}


def test_two_nodes_without_a_shared_folder_learn_what_one_machine_learns(mini):
    mini.scheduler()
    mini.node("one"), mini.node("two")
    suite = mini.slow_suite(seeds=(0, 1, 2, 3))
    here = mini.run(suite, "--out", "here")
    code, _, err = ended(here)
    assert code == 0, err
    spread = mini.run(suite, "--out", "run", "--on", mini.file, "--accuracy-only", MALLOC_ARENA_MAX="7")
    code, out, err = ended(spread)
    assert code == 0, err
    records = mini.records()
    assert what_was_learned(records) == what_was_learned(mini.records("here"))
    assert len({(m.environment["variables"].get("OMP_NUM_THREADS")) for m in records.machines.values()}) == 1
    assert out.count("data idx:data") == 2, "each node is sent the data once"
    assert records.crowded == {("small", seed) for seed in range(4)}
    assert not nodes_variables(records) & {"MALLOC_TRIM_THRESHOLD_", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"}
    lines = [json.loads(line) for line in (mini.head / "run" / "records.jsonl").read_text().splitlines()]
    assert {line["place"]["alone"] for line in lines if line["kind"] == "cell"} == {False}


def test_a_variable_of_the_node_is_recorded_and_its_own_settings_stay(mini):
    mini.scheduler()
    mini.node("one", MALLOC_ARENA_MAX="3")
    code, _, err = ended(mini.run(mini.suite(seeds=(0,)), "--out", "run", "--on", mini.file))
    assert code == 0, err
    (machine,) = mini.records().machines.values()
    assert machine.environment["variables"]["MALLOC_ARENA_MAX"] == "3"
    assert machine.host
    assert mini.records().crowded == set()


def test_a_node_with_other_versions_gets_no_cell_and_the_difference_is_told(mini, tmp_path):
    other = tmp_path / "other" / "numpy-0.0.1.dist-info"
    other.mkdir(parents=True)
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: numpy\nVersion: 0.0.1\n")
    mini.scheduler()
    mini.node("one", PYTHONPATH=f"{other.parent}:{ROOT}")
    cluster = mini.toml('kind = "scheduler"\nscheduler_file = "../scheduler.json"\nwait_seconds = 5\n')
    code, out, err = ended(mini.run(mini.suite(), "--out", "run", "--on", cluster))
    assert code == 2
    assert err.count("\n") == 1
    assert "its software differs: numpy" in err
    assert "here, 0.0.1 there" in err
    mini.node("two")
    code, out, err = ended(mini.run(mini.suite(), "--out", "run", "--on", cluster, "--resume"))
    assert code == 0, err
    assert "gets no cells: its software differs: numpy" in out
    assert mini.records().complete
