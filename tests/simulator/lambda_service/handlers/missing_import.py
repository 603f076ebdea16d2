"""A handler whose module cannot be imported, as after an incomplete bundling."""

import a_package_that_nobody_has  # type: ignore[import-not-found]

handler = a_package_that_nobody_has
