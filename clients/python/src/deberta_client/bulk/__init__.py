"""Tables through a server: `deberta-client bulk`. See docs/bulk.md.

A table's rows (rows.py) become requests (jobs.py), which streams to the servers
share (work.py, streams.py); their answers go to a journal in the order of the rows
(journal.py), and from there, when all are answered, to the output (tables.py).
"""
