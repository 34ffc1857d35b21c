"""`mic`: a call with this machine's microphone and loudspeaker. On the wire it is the simulated Asterisk.

`session` joins the call leg, the phone and the server's events. `phone` carries the sound between sound card and call
leg, by means of pure parts (`jitter_buffer`, `echo_guard`, `resampling`, `level_meter`). Only `sound_card` uses
PyAudio, and only `keys` uses the terminal.
"""
