"""Who works at the site of the tests."""

from argon2 import PasswordHasher

PASSWORD = "parol-parol"
WEAK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)  # thousands of tests sign in
PEOPLE = {
    "nilufar": ("Nilufar Karimova", "operator"),
    "sardor": ("Sardor Ergashev", "operator"),
    "dilnoza": ("Dilnoza Aliyeva", "supervisor"),
    "sherzod": ("Sherzod Qodirov", "manager"),
    "bahodir": ("Bahodir Rahimov", "ministry"),
    "rustam": ("Rustam Tursunov", "technician"),
    "oybek": ("Oybek Saidov", "backup"),
}
OF_ROLE = {role: login for login, (_, role) in reversed(PEOPLE.items())}
