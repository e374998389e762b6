"""Every statement that a database may treat in its own way is put to PostgreSQL by some test."""

from tests.backends import choose, shape


def test_every_statement_is_put_by_one_test_and_by_the_quickest() -> None:
    made = {"both": {"a", "b"}, "slow": {"a", "b"}, "alone": {"c"}, "again": {"c", "d"}, "none": set(), "lock": {"d"}}
    seconds = {"both": 0.1, "slow": 9.0, "alone": 0.1, "again": 9.0, "none": 0.1, "lock": 9.0}
    assert choose(made, seconds, fixed=["lock"]) == {"lock", "both", "alone"}


def test_statements_are_one_whatever_their_data_unless_databases_take_it_differently() -> None:
    sql = 'SELECT "id" FROM "leads_lead" WHERE "name" IN (%s) LIMIT 21'
    assert shape(sql, ["Ann"]) == shape(sql.replace("%s", "%s, %s").replace("21", "5"), ["Ann", "Ben"])
    assert len({shape(sql, [value]) for value in ("Ann", "Än", "a\x00", "a" * 300, 2**40, -(2**40))}) == 4
