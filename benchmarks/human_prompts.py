"""Human telephone speech: prompts of Debian's `asterisk-core-sounds-en-wav`, and what each says.

The sounds (CC-BY-SA-3.0, spoken by Allison Smith) are used where the package has put them, and are no part of this
project. There is nothing of the kind in Portuguese.
"""

from pathlib import Path

from audiosocket_core.phrase_book.book import Phrase
from audiosocket_core.slin import read_audio

__all__ = ["FOLDER", "human_prompts"]

FOLDER = Path("/usr/share/asterisk/sounds/en_US_f_Allison")

_TEXTS = {
    "agent-alreadyon": "That agent is already logged on. Please enter your agent number followed by the pound key.",
    "agent-newlocation": "Please enter a new extension, followed by pound.",
    "auth-incorrect": "Password incorrect. Please enter your password followed by the pound key.",
    "conf-getconfno": "Please enter your conference number followed by the pound key.",
    "conf-getpin": "Please enter the conference pin number.",
    "conf-invalid": "That is not a valid conference number. Please try again.",
    "conf-invalidpin": "That pin is invalid for this conference.",
    "conf-kicked": "You have been kicked from this conference.",
    "conf-leaderhasleft": "The leader has left the conference.",
    "conf-noempty": "No empty conferences currently exist.",
    "conf-onlyone": "There is currently one other participant in the conference.",
    "conf-onlyperson": "You are currently the only person in this conference.",
    "conf-placeintoconf": "You will now be placed into the conference.",
    "conf-waitforleader": "The conference will begin when the leader arrives.",
    "demo-echodone": "The echo test has been completed.",
    "demo-nomatch": "I'm sorry, there are no matches for those keywords.",
    "dir-nomatch": "No directory entries match your search.",
    "dir-nomore": "There are no more compatible entries in the directory.",
    "dir-welcome": "Welcome to the directory.",
    "pbx-parkingfailed": "Parking attempt failed.",
    "privacy-incorrect": "I'm sorry, that number is not valid.",
    "privacy-prompt": "Please enter your phone number, starting with the area code.",
    "privacy-thankyou": "Thank you.",
    "privacy-unident": "The party you are trying to reach does not accept unidentified calls.",
    "queue-thankyou": "Thank you for your patience.",
    "queue-youarenext": "Your call is now first in line and will be answered by the next available representative.",
    "ss-noservice": "The number you have dialed is not in service. Please check the number and try again.",
    "tt-somethingwrong": "Something is terribly wrong.",
    "tt-weasels": "Weasels have eaten our phone system.",
    "vm-deleted": "Message deleted.",
    "vm-dialout": "Please wait while I connect your call.",
    "vm-enter-num-to-call": "Please enter the number you wish to call.",
}


def human_prompts() -> list[Phrase]:
    """Empty where the package is not installed."""
    files = {text: FOLDER / f"{name}.wav" for name, text in _TEXTS.items()}
    return [
        Phrase.from_pcm(file.stem, text, read_audio(file), language="en-US", voice="a person")
        for text, file in files.items()
        if file.is_file()
    ]
