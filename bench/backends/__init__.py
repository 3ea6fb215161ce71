"""One file a backend; `bench.backend` names them."""
