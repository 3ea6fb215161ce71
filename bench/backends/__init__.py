"""One file a backend; `bench.backends.registry` names them."""
