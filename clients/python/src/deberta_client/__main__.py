"""python -m deberta_client: as deberta-client."""

import sys

from deberta_client.command import main

sys.exit(main())
