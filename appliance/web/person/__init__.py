"""Sign-in, and the personal settings of a user."""

from appliance.web.person import account, lock, login, openid, passkeys, second_factor, sessions

SCREENS = (
    login.screen,
    account.screen,
    sessions.screen,
    sessions.own_screen,
    second_factor.screen,
    lock.screen,
    passkeys.screen,
    openid.screen,
)
