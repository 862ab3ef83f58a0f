"""The one exception that both distributions show to users as a single line."""


class UserError(Exception):
    """The user's input or machine is at fault: the message says what, where and what to do.

    Command lines print the message alone and leave with exit code 2; a library user may catch it.
    The message is one line, names the file, flag or layer it is about, and ends with the remedy.
    """


class PictureError(UserError):
    """This picture is at fault; another one may do."""
