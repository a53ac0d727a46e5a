"""Prove: the product proves its own rules on this machine, each with a planted fault that must be caught."""

from collections.abc import Callable

from deepwright import parts
from deepwright.core.errors import UsageError, did_you_mean
from deepwright.core.recipe import Recipe
from deepwright.core.text import text
from deepwright.practice.prove.bundle import prove_bundle
from deepwright.practice.prove.case import Case, Claim, case_of
from deepwright.practice.prove.leakage import prove_leakage
from deepwright.practice.prove.parity import prove_parity
from deepwright.practice.prove.resume import prove_resume
from deepwright.practice.prove.seal import prove_seal

PROOFS: dict[str, Callable[[Case], list[Claim]]] = {
    "bundle": prove_bundle,
    "leakage": prove_leakage,
    "parity": prove_parity,
    "resume": prove_resume,
    "seal": prove_seal,
}


def prove(
    name: str | None = None, *, recipe: Recipe | None = None, trials: int | None = None, say: Callable[[str], None]
) -> list[Claim]:
    """Carry out one proof, or all, on the user's table (`recipe`) or on the demo's; every claim is said as it is found.

    trials: how many where a proof draws at random. Raises UsageError for an unknown proof.
    """
    if name is not None and name not in PROOFS:
        known = list(PROOFS)
        raise UsageError("prove.unknown", proof=name, allowed=", ".join(known), hint=did_you_mean(name, known))
    parts.load_installed()
    claims: list[Claim] = []
    for proof in PROOFS if name is None else (name,):
        with case_of(recipe, trials) as case:
            say(text("prove.begins", proof=proof, rows=len(case.whole), source=case.source))
            for claim in PROOFS[proof](case):
                say(claim.line())
                claims.append(claim)
    broken = sum(not claim.holds for claim in claims)
    say(text("prove.ends", claims=len(claims), broken=broken))
    return claims


__all__ = ["Claim", "PROOFS", "prove"]
