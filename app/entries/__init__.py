"""Entries. What does a person say about themselves, and how is it kept, read and written?"""
