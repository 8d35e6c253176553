# Behind a person’s name: password, sessions, tokens.

account-menu = Your account
account-password = Password
account-sessions = Sessions
account-tokens = Tokens
ask-revoke = Revoke token { $name }
ask-revoke-lead = Programs that use it are refused at once, and what they are reading ends.
ask-revoke-more = It cannot be undone: make another one and give it to them.
event-password = Password of { $name } changed; all sessions ended
event-sessions-ended = { $count ->
    [one] One session ended
   *[other] { $count } sessions ended
}
event-token-revoked = Token { $name } revoked
password-again = The new one again
password-button = Change the password
password-changed = The password is changed.
password-changed-more = All other sessions have ended. Tokens stay as they are: revoke those that somebody else may know.
password-help = Changing it ends all your other sessions.
password-new = New password
password-present = Present password
problem-no-account = There is no account yet. Make it on the page, with the code of: cordee setup-code
problem-password-again = The two do not match.
problem-password-present = This is not the present password.
problem-token-unknown = There is no token called { $name }.
problem-proof = The session’s cookie alone changes nothing: your password says that it is you.
problem-proof-api = With the page’s session alone the API only reads. To change something, use a token, or send the secret of the page’s script in Cordee-Proof within ten minutes of the password.
problem-proof-grave = This act takes your password, unless you gave it within the last ten minutes.
prove-button = Continue
prove-noscript = Without the page’s script, the password is asked for at each change.
prove-title = Your password
session-unknown = not known
sessions-address = Address
sessions-begun = Signed in
sessions-browser = Browser
sessions-end = End
sessions-end-others = End all others
sessions-help = Where you are signed in. A session ends after 30 minutes without a request or an open page, and after 12 hours in any case.
sessions-own = this one
sessions-seen = Last request
token-button = Make the token
token-days = Valid for, in days
token-days-help = 1 to 3650. Empty: until it is revoked.
token-expired = expired
token-expires = Valid until
token-made = Made
token-name = Name
token-never-used = never
token-new = New token
token-no-end = no end
token-once = Copy it now: it is not shown again.
token-password-help = A token outlives your session, so the password is asked for.
token-revoke = Revoke
token-used = Last used
tokens-help = Programs use the API with a token. It may do all that the API offers.
tokens-none = No token yet.
