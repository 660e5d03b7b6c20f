"""What the forms of the support desk share: shape only; what is allowed is the services' to say."""

from django import forms

from jobs.services import words


class WordsField(forms.CharField):
    """What an agent writes, in at most so many characters as the service takes (``max_length``)."""

    widget = forms.Textarea(attrs={"rows": 4})


class SendBackForm(forms.Form):
    """Why what another agent recorded or proposed goes back."""

    answer = WordsField(
        label="Why you send it back",
        help_text="Agents read it; the parties do not.",
        max_length=words.REASON_AT_MOST,
        error_messages={"required": "Write why you send it back."},
    )
