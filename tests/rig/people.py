"""Who works at the site of the tests."""

PASSWORD = "parol-parol"
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
