# SPDX-License-Identifier: Apache-2.0
"""What each action of the command line does: one module an action, imported when it is asked for.

Each has `execute(args, console) -> ExitStatus`. They take the rooms together; they print through
the console that they are given and never end the process.
"""
