"""Every kind is known, as it is to a user."""

import deepwright.parts  # noqa: F401
