"""What is on its way is remembered exactly, in little memory."""

from random import Random

from ml_connector.engine.poll.in_flight import BUCKETS, InFlight, _find, _hashed


def test_it_answers_as_a_dictionary_would() -> None:
    random, pending, known = Random(7), InFlight(), dict[str, str]()
    for _ in range(3 * BUCKETS):
        key, value = f"V{random.randrange(5000)}", f"1.e.{random.randrange(3)}"
        pending.update({key: value})
        known[key] = value
    for n in range(6000):
        key = f"V{n}"
        assert (key in pending) is (key in known)
        for value in ("1.e.0", "1.e.1", "1.e.2", "gone"):
            assert pending.holds(key, value) is (known.get(key) == value)
    assert pending.count("1.e.1") == sum(1 for value in known.values() if value == "1.e.1")
    assert pending.count("gone") == 0


def test_a_hash_in_another_place_than_a_key_is_not_taken_for_one() -> None:
    first, second, name = _hashed("a"), _hashed("b"), _hashed("c")
    as_value = bytearray(first + name + second + second)
    shifted = bytearray(first + first[:6] + name + second[:6])
    assert _find(as_value, name) == -1
    assert _find(shifted, name) == -1
    assert _find(bytearray(first + second + name + second), name) == 24
