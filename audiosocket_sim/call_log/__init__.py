"""The record of a call: its events, their text, the stereo recording, and the view of a call in progress."""
