"""Temporal's API messages: the only door to protobuf.

Everything beside this file and descriptors.py is written by hatch_build.py when the package is built or installed.
"""
