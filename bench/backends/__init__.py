"""One file per backend; `bench.backends.registry` names them."""
