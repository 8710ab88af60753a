"""Fills the store from files: one file is one step, committed together with how far the job is.

Who is cut off goes on with the next file when asked for the same again; who asks for what is done
already gets it done again, and nothing is stored twice.
"""
