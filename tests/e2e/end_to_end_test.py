#!/usr/bin/env python3
"""Drives the real server with real clients; run it by tests/e2e/run.sh."""

import argparse
import pathlib
import sys
import unittest

import environment


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, required=True,
                        help="directory of the programs")
    parser.add_argument("--work", type=pathlib.Path, required=True,
                        help="directory for models and logs")
    parser.add_argument("tests", nargs="*",
                        default=["answers_test", "heads_test", "entities_test",
                                 "classes_test", "groups_test", "rerank_test",
                                 "conventions_test",
                                 "precision_test", "refusals_test", "memory_test",
                                 "lifecycle_test", "process_test",
                                 "repository_test",
                                 "changing_files_test", "security_test",
                                 "start_test", "failing_start_test", "tls_test",
                                 "tracing_test", "connections_test",
                                 "frames_test", "messages_test",
                                 "machine_test", "faults_test"],
                        help="lifecycle_test.DrainTest, for instance")
    arguments = parser.parse_args()
    environment.build = arguments.build
    environment.work = arguments.work
    suite = unittest.defaultTestLoader.loadTestsFromNames(arguments.tests)
    result = unittest.TextTestRunner(verbosity=2).run(suite)
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
