#!/bin/sh
# Runs a program that leaves no core dump: that would be its memory, card data and keys included.
ulimit -c 0
exec "$COUNTERSIGN_PROGRAM" "$@"
