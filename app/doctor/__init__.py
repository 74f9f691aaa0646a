"""Doctor: what of an installation is old or dangerous, and how it is mended."""
