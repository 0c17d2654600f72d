"""The staff of the tests' site."""

from argon2 import PasswordHasher

PASSWORD = "parol-parol"
# cheap, because thousands of tests sign in
WEAK_HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
PEOPLE = {
    "nilufar": ("Nilufar Karimova", "operator"),
    "sardor": ("Sardor Ergashev", "operator"),
    "dilnoza": ("Dilnoza Aliyeva", "supervisor"),
    "sherzod": ("Sherzod Qodirov", "manager"),
    "bahodir": ("Bahodir Rahimov", "ministry"),
    "rustam": ("Rustam Tursunov", "technician"),
    "oybek": ("Oybek Saidov", "backup"),
}
LOGIN_OF_ROLE = {role: login for login, (_, role) in reversed(PEOPLE.items())}
