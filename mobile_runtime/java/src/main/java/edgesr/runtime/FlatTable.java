package edgesr.runtime;

import java.util.ArrayList;
import java.util.List;

/**
 * A table of a FlatBuffers file. Fields are named by their slot: their position in the schema's table, from 0.
 * An absent field gives the default, null or an empty list.
 */
final class FlatTable {
    private static final int COST = 64; // of keeping one table in mind

    private final FlatFile file;
    private final long position;
    private final long vtable;
    private final int vtableSize;
    private final int objectSize;

    /** Refuses a table that, with its vtable, does not lie inside the file. */
    FlatTable(FlatFile file, long position) throws Refused {
        file.charge(COST);
        this.file = file;
        this.position = position;
        vtable = position - file.int32(position);
        vtableSize = file.uint16(vtable);
        objectSize = file.uint16(vtable + 2);
        if (vtableSize < 4 || vtableSize % 2 != 0 || objectSize < 4) {
            throw new Refused("a table at byte " + position + " has an invalid header");
        }
        file.checkSpan(vtable, vtableSize);
        file.checkSpan(position, objectSize);
    }

    int int8(int slot) throws Refused {
        return (byte) uint8(slot);
    }

    int uint8(int slot) throws Refused {
        long place = place(slot, 1);
        return place == 0 ? 0 : file.uint8(place);
    }

    int int32(int slot) throws Refused {
        return (int) uint32(slot);
    }

    long uint32(int slot) throws Refused {
        long place = place(slot, 4);
        return place == 0 ? 0 : file.uint32(place);
    }

    long int64(int slot) throws Refused {
        long place = place(slot, 8);
        return place == 0 ? 0 : file.int64(place);
    }

    /** The table in {@code slot}; null where it is absent. */
    FlatTable table(int slot) throws Refused {
        long target = target(slot);
        return target == 0 ? null : new FlatTable(file, target);
    }

    String string(int slot) throws Refused {
        FlatVector characters = vector(slot, 1);
        file.charge(characters.length);
        try {
            return Json.decode(file.data, (int) characters.start, characters.length);
        } catch (Refused error) {
            throw new Refused("a name at byte " + characters.start + " is not UTF-8");
        }
    }

    /** The vector of bytes in {@code slot}, looked at but not read. */
    FlatVector bytes(int slot) throws Refused {
        return vector(slot, 1);
    }

    /** The vector of numbers of {@code size} bytes in {@code slot}. */
    FlatVector numbers(int slot, int size) throws Refused {
        FlatVector found = vector(slot, size);
        file.checkAlignment(found.start, size);
        file.charge((long) found.length * size);
        return found;
    }

    /** The vector of tables in {@code slot}, at most {@code limit} of them. */
    List<FlatTable> tables(int slot, int limit) throws Refused {
        FlatVector places = vector(slot, 4);
        if (places.length > limit) {
            throw new Refused("a list at byte " + places.start + " has " + places.length + " entries, more than "
                    + limit);
        }
        List<FlatTable> found = new ArrayList<>(places.length);
        for (int i = 0; i < places.length; i++) {
            long place = places.start + 4L * i;
            found.add(new FlatTable(file, place + file.uint32(place)));
        }
        return found;
    }

    /** Checks the header of a table whose schema is not known: all fields must lie inside it. */
    void checkFields() throws Refused {
        file.charge(vtableSize);
        for (int slot = 0; slot < (vtableSize - 4) / 2; slot++) {
            place(slot, 1);
        }
    }

    /** Where the field in {@code slot} lies, which must hold {@code size} bytes; 0 where it is absent. */
    private long place(int slot, int size) throws Refused {
        int entry = 4 + 2 * slot;
        int offset = entry < vtableSize ? file.uint16(vtable + entry) : 0;
        if (offset == 0) {
            return 0;
        }
        if (offset < 4 || offset + size > objectSize) {
            throw new Refused("a field of the table at byte " + position + " lies outside it");
        }
        return position + offset;
    }

    /** Where the offset in {@code slot} leads; 0 where it is absent. */
    private long target(int slot) throws Refused {
        long place = place(slot, 4);
        return place == 0 ? 0 : place + file.uint32(place);
    }

    private FlatVector vector(int slot, int itemSize) throws Refused {
        long target = target(slot);
        if (target == 0) {
            return new FlatVector(file, 0, 0);
        }
        long length = file.uint32(target);
        file.checkSpan(target + 4, length * itemSize);
        return new FlatVector(file, target + 4, (int) length);
    }
}
