"""One zip for machines without a network: wheels, install scripts, checksums, the docs."""
