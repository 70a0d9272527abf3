"""What a core file of a running process would hold, read as root: every mapping but those marked "do not dump" (VmFlags dd)."""
import re

SLICE = 16 << 20
KEYS_MAX = 1 << 20  # pages of a locked key


def mappings(pid, locked_too=False):
    """(name, first, last) of what may be read and is not left out of cores; or of that as well."""
    found, current = [], None
    with open("/proc/%d/smaps" % pid) as file:
        for line in file:
            head = re.match(r"([0-9a-f]+)-([0-9a-f]+) (r)\S+ \S+ \S+ \S+\s*(.*)", line)
            if head:
                current = (head.group(4) or "anonymous", int(head.group(1), 16), int(head.group(2), 16))
            elif re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
                current = None  # not to be read
            elif line.startswith("VmFlags:") and current:
                small = current[2] - current[1] <= KEYS_MAX  # a sanitizer's shadow has terabytes, and is left out of cores too
                if "dd" not in line.split() or (locked_too and small):
                    found.append(current)
                current = None
    return found


def resident(pid, locked_too=False):
    """Bytes of each stretch, with its name; pages that were never written are zeroes and are passed over."""
    with open("/proc/%d/mem" % pid, "rb", buffering=0) as memory, open("/proc/%d/pagemap" % pid, "rb", buffering=0) as pagemap:
        for name, first, last in mappings(pid, locked_too):
            if name.startswith("[v"):  # vvar, vsyscall, vdso
                continue
            for begin, end in present(pagemap, first, last):
                for at in range(begin, end, SLICE):
                    try:
                        memory.seek(at)
                        yield "%s at %x" % (name, at), memory.read(min(SLICE, end - at) + (64 if at + SLICE < end else 0))
                    except OSError:
                        pass  # unmapped meanwhile


def present(pagemap, first, last, page=4096):
    """Runs of pages that are in memory or swapped (pagemap: bits 63 and 62)."""
    begin = None
    for block in range(first, last, page << 16):  # a sanitizer maps terabytes that it never writes to
        count = (min(last, block + (page << 16)) - block) // page
        pagemap.seek(block // page * 8)
        entries = pagemap.read(count * 8)
        if not any(entries[7::8]) and begin is None:
            continue
        for i in range(len(entries) // 8):
            there = entries[i * 8 + 7] & 0xC0
            if there and begin is None:
                begin = block + i * page
            elif not there and begin is not None:
                yield begin, block + i * page
                begin = None
    if begin is not None:
        yield begin, last


def holds(pid, needles, locked_too=False):
    """`needles`: name -> list of bytes. name -> where it was found."""
    found = {}
    for where, data in resident(pid, locked_too):
        for name, forms in needles.items():
            for form in forms:
                at = data.find(form)
                if at >= 0:
                    found.setdefault(name, []).append("%s+%x: %r" % (where, at, data[max(0, at - 48):at + len(form) + 48]))
    return found
