"""A second opinion on the planning model: written from its description alone, slow and literal.

It imports nothing from ``gwplan``; the tests hold their answers against the ones computed here.
An instance is taken to be valid: only what would make the answer meaningless is refused.
"""

from tests.oracle.reading import OracleError
from tests.oracle.result import OracleResult, solve

__all__ = ["OracleError", "OracleResult", "solve"]
