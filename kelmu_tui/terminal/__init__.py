"""What stands between the app and the terminal: safe text, quiet driver, crash reports without values, hang-ups.

environment   before Textual is imported: what kind of terminal, which variables, no core dumps
filter        the net through which every painted line goes
driver        Textual's driver, quieter, and sturdy when the terminal goes away
hang_up       leaving in order, and leaving at all
timers        timers that ring late rather than never
crash         reports that hold types and line numbers, nothing else
guard         all of it as one base class for the app
"""
