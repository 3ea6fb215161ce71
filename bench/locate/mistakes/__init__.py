"""The library of mistakes: each is a small change of the derivation's own equations."""
