"""The asset tree shows how much work is open."""

from tests import plant as world
from workorders import raising


def test_the_tree_counts_the_open_orders_of_each_asset(client, plant, django_assert_max_num_queries):
    for summary in ("Leak", "Noise"):
        raising.raise_order(asset=plant.filler, summary=summary, by=plant.planner)
    client.force_login(plant.requester)
    client.get("/assets/tree/")
    with django_assert_max_num_queries(9):
        nodes = client.get("/assets/tree/").context["nodes"]
    assert {node.asset.code: [str(mark) for mark in node.marks] for node in nodes} == {
        "L1": [], "M1": ["2 open orders"], "M2": [], "M3": [],
    }  # fmt: skip
    client.force_login(world.person("other", plant.chicago, "planner"))
    assert [node.marks for node in client.get("/assets/tree/").context["nodes"]] == [[]]
