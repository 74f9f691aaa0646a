"""Check digits of national identity numbers. Can this number be one of that country?

Every check takes digits and capital letters without separators, of the length that the data file says.
"""

from __future__ import annotations

from app.privacy.detectors.check_digits import (
    Check,
    card,
    luhn,
    mod_11_10,
    ssn,
    verhoeff,
    weighted,
)

_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_DNI = "TRWAGMYFPDXBNJZSQVHLCKE"
_HETU = "0123456789ABCDEFHJKLMNPRSTUVWXY"
_PPS = "WABCDEFGHIJKLMNOPQRSTUV"
_CURP = "0123456789ABCDEFGHIJKLMNÑOPQRSTUVWXYZ"
_ODD_VALUES = "1 0 5 7 9 13 15 17 19 21 1 0 5 7 9 13 15 17 19 21 2 4 18 20 11 3 6 8 12 14 16 10 22 25 24 23"
_ODD = dict(zip("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", map(int, _ODD_VALUES.split()), strict=True))
_STAND_INS = str.maketrans("LMNPQRSTUV", "0123456789")


def is_day(month: str, day: str) -> bool:
    """Whether there is this day in this month, in some year."""
    return 1 <= int(month) <= 12 and 1 <= int(day) <= _DAYS[int(month) - 1]


def at(svnr: str) -> bool:
    total = weighted(svnr[:3] + svnr[4:], (3, 7, 9, 5, 8, 4, 2, 1, 6))
    return svnr[0] != "0" and total % 11 == int(svnr[3]) and is_day(str(min(int(svnr[6:8]), 12)), svnr[4:6])


def au(tfn: str) -> bool:
    return weighted(tfn, (1, 4, 3, 7, 5, 8, 6, 9, 10)) % 11 == 0 and tfn != "000000000"


def be(number: str) -> bool:
    check = int(number[9:])
    right = check in (97 - int(number[:9]) % 97, 97 - int("2" + number[:9]) % 97)
    return right and int(number[2:4]) % 20 <= 12 and int(number[4:6]) <= 31


def br(cpf: str) -> bool:
    if weighted(cpf, range(10, 1, -1)) * 10 % 11 % 10 != int(cpf[9]):
        return False
    return weighted(cpf, range(11, 1, -1)) * 10 % 11 % 10 == int(cpf[10]) and len(set(cpf)) > 1


def ca(sin: str) -> bool:
    return sin[0] not in "08" and luhn(sin)


def ch(ahv: str) -> bool:
    return ahv.startswith("756") and weighted(ahv, (1, 3) * 7) % 10 == 0


def cn(number: str) -> bool:
    total = weighted(number[:17], (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2))
    return "10X98765432"[total % 11] == number[17] and is_day(number[10:12], number[12:14])


def cz(number: str) -> bool:
    month = int(number[2:4]) % 50
    is_right = len(number) == 9 or int(number) % 11 == 0 or (int(number[:9]) % 11 == 10 and number[9] == "0")
    return is_right and is_day(str(month % 20), number[4:6])


def de(steuer_id: str) -> bool:
    different = set(steuer_id[:10])
    if len(different) not in (8, 9):
        return False
    counts = sorted(steuer_id[:10].count(digit) for digit in different)
    return steuer_id[0] != "0" and counts[-1] in (2, 3) and counts[-2] == 1 and mod_11_10(steuer_id)


def dk(cpr: str) -> bool:
    return is_day(cpr[2:4], cpr[:2])


def es(dni: str) -> bool:
    number = {"X": "0", "Y": "1", "Z": "2"}.get(dni[0], dni[0]) + dni[1:-1]
    return _DNI[int(number) % 23] == dni[-1]


def fi(hetu: str) -> bool:
    return _HETU[int(hetu[:6] + hetu[-4:-1]) % 31] == hetu[-1] and is_day(hetu[2:4], hetu[:2])


def fr(nir: str) -> bool:
    number = nir[:13].replace("2A", "19").replace("2B", "18")
    month = int(nir[3:5])
    return nir[0] in "123478" and (month <= 12 or month >= 20) and 97 - int(number) % 97 == int(nir[13:])


def gb_nhs(number: str) -> bool:
    check = 11 - weighted(number, range(10, 1, -1)) % 11
    return check % 11 == int(number[9]) and len(set(number)) > 1


def gb_nino(nino: str) -> bool:
    return nino[:2] not in ("BG", "GB", "NK", "KN", "TN", "NT", "ZZ")


def ie(pps: str) -> bool:
    second = pps[8] if len(pps) > 8 else "W"
    return _PPS[(weighted(pps, range(8, 1, -1)) + 9 * _PPS.index(second)) % 23] == pps[7]


def in_aadhaar(number: str) -> bool:
    return number[0] not in "01" and verhoeff(number) and number != number[::-1]


def it(codice: str) -> bool:
    odd = sum(_ODD[char] for char in codice[:15:2])
    even = sum(int(char, 36) % 10 if char.isdigit() else ord(char) - 65 for char in codice[1:15:2])
    day = int(codice[9:11].translate(_STAND_INS)) % 40
    return chr(65 + (odd + even) % 26) == codice[15] and 1 <= day <= 31


def kr(number: str) -> bool:
    check = (11 - weighted(number, (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)) % 11) % 10
    return is_day(number[2:4], number[4:6]) and check == int(number[12])


def mx(curp: str) -> bool:
    total = sum(_CURP.index(char) * (18 - place) for place, char in enumerate(curp[:17]))
    return (10 - total % 10) % 10 == int(curp[17]) and is_day(curp[6:8], curp[8:10])


def nl(bsn: str) -> bool:
    return weighted(bsn, (9, 8, 7, 6, 5, 4, 3, 2, -1)) % 11 == 0 and int(bsn) > 10_000_000


def no(number: str) -> bool:
    if weighted(number, (3, 7, 6, 1, 8, 9, 4, 5, 2, 1)) % 11:
        return False
    second = weighted(number, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1))
    return second % 11 == 0 and is_day(number[2:4], str(int(number[:2]) % 40))


def pl(pesel: str) -> bool:
    total = weighted(pesel, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1))
    is_of_our_time = pesel[2] in "0123" or pesel[2:4] > "80"  # of the centuries 1800, 1900 and 2000
    return total % 10 == 0 and is_of_our_time and is_day(str(int(pesel[2:4]) % 20), pesel[4:6])


def pt(nif: str) -> bool:
    check = (11 - weighted(nif, range(9, 1, -1)) % 11) % 11 % 10
    return nif[0] != "0" and check == int(nif[8])


def ro(cnp: str) -> bool:
    check = weighted(cnp, (2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9)) % 11
    return cnp[0] != "0" and is_day(cnp[3:5], cnp[5:7]) and (1 if check == 10 else check) == int(cnp[12])


def se(number: str) -> bool:
    short = number[-10:]
    return luhn(short) and is_day(short[2:4], str(int(short[4:6]) % 60))


def sg(nric: str) -> bool:
    total = weighted(nric[1:8], (2, 7, 6, 5, 4, 3, 2))
    kind = nric[0]
    total += {"T": 4, "G": 4, "M": 3}.get(kind, 0)
    letters = {"S": "JZIHGFEDCBA", "T": "JZIHGFEDCBA", "M": "XWUTRQPNJLK"}.get(kind, "XWUTRQPNMLK")
    return letters[10 - (total % 11) if kind == "M" else total % 11] == nric[8]


def tr(number: str) -> bool:
    digits = list(map(int, number))
    if sum(digits[:10]) % 10 != digits[10]:
        return False
    tenth = (7 * sum(digits[0:9:2]) - sum(digits[1:8:2])) % 10
    return digits[0] != 0 and digits[9] == tenth


def za(number: str) -> bool:
    return luhn(number) and is_day(number[2:4], number[4:6]) and number[10] in "01"


CHECKS: dict[str, Check] = {
    **{check.__name__: check for check in (card, ssn, at, au, be, br, ca, ch, cn, cz, de, dk, es, fi, fr)},
    **{check.__name__: check for check in (gb_nhs, gb_nino, ie, in_aadhaar, it, kr, mx, nl, no, pl, pt, ro)},
    **{check.__name__: check for check in (se, sg, tr, za)},
}
