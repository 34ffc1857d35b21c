"""`mic`: a call with this machine's microphone and loudspeaker. On the wire it is the simulated Asterisk.

`session` joins the leg, the phone and what the server tells; `phone` is the sound between them, made of pure parts
(`jitter_buffer`, `echo_guard`, `resampling`, `meters`); only `sound_card` knows PyAudio, only `keys` the terminal.
"""
