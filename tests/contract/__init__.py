"""Cases of other shops' promotions and of tills, from the two normative pages alone."""

import pytest

pytest.register_assert_rewrite("tests.contract.shop")
