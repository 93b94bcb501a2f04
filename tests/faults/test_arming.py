"""A point or a defect that cannot be patched in starts nothing: a death that never comes is no green test."""

import pytest

from faults import arming
from faults.arming import dies_at, mortal
from faults.defects import DEFECTS
from faults.points import POINTS
from quintet.testing.services.handle import ServiceError
from support.patching import replace
from support.server import Factory


@pytest.mark.l1
def test_what_is_not_there_is_not_patched() -> None:
    """A name that the product does not have any more, also one that is only inherited, is an error."""

    class Old:
        def here(self) -> None: ...

    class New(Old): ...

    assert replace(Old, "here", None) is not None
    for owner, name in ((Old, "there"), (New, "here")):
        with pytest.raises(KeyError, match=name):
            replace(owner, name, None)


@pytest.mark.l1
def test_every_point_and_defect_has_a_test() -> None:
    """None is listed and never tried."""
    from faults.test_defects import SHOWN_BY
    from faults.test_points import BREACHES, NOT_THERE, THERE

    assert {*THERE, *NOT_THERE, "in_recovery", "in_portion"} == {*POINTS}
    assert {*BREACHES, *SHOWN_BY} == {*DEFECTS}


@pytest.mark.l3
@pytest.mark.parametrize(("where", "defect"), [("in_submitt:1", ""), ("in_submit", ""), ("", "torn_sumbit")])
def test_a_misspelt_point_or_defect_starts_nothing(server_factory: Factory, where: str, defect: str) -> None:
    """The process ends at once and says which names there are."""
    with pytest.raises(ServiceError, match="NAME one of"):
        mortal(server_factory, where, defect)


@pytest.mark.l3
async def test_another_death_or_none_is_no_proof(server_factory: Factory, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server whose point is never passed fails the test, whether it lives on or dies of something else."""
    monkeypatch.setattr(arming, "DEATH_SECONDS", 0.5)
    server = mortal(server_factory, "in_submit:1")
    with pytest.raises(ServiceError, match="did not end"):
        await dies_at(server, "in_submit:1")
    server.kill()
    with pytest.raises(AssertionError, match="ended, but not at in_submit:1"):
        await dies_at(server, "in_submit:1")
