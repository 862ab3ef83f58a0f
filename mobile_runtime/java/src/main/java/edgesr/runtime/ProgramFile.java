package edgesr.runtime;

import java.util.Map;
import java.util.TreeSet;

/** A program file whose structure was checked and whose metadata was read; no engine is needed for that. */
public final class ProgramFile {
    /** Which engine runs a program. */
    public enum Format {
        /** LiteRT runs it. */
        TFLITE,
        /** ExecuTorch runs it. */
        PTE
    }

    static final String METADATA_ENTRY = "edgesr";

    private static final int MAX_BYTES = 1 << 30;
    private static final int MAX_METADATA_BYTES = 16 << 20;

    public final ProgramInfo info;

    public final Format format;

    /** The file, unpacked where it was compressed; not a copy, and not to be changed. */
    public final byte[] bytes;

    private ProgramFile(ProgramInfo info, Format format, byte[] bytes) {
        this.info = info;
        this.format = format;
        this.bytes = bytes;
    }

    /**
     * Checks the bytes of a program file and reads its metadata.
     *
     * <p>The file is not trusted: whatever it holds, the answer is a program or an exception. What no such reading
     * can promise is that the engine agrees with it.
     *
     * @param data a .tflite or .pte file, or either compressed by gzip
     * @param source names the file in messages
     * @throws EdgesrException the file is damaged, is no edgesr program or is of a newer major version
     */
    public static ProgramFile read(byte[] data, String source) throws EdgesrException {
        try {
            return readUnpacked(Gzip.isGzip(data, 0) ? unpack(data, source) : data, source);
        } catch (OutOfMemoryError error) { // a small file may unpack to, or describe, very much
            throw new EdgesrException(source + " needs more memory than there is; no edgesr program does", error);
        }
    }

    private static byte[] unpack(byte[] data, String source) throws EdgesrException {
        try {
            return Gzip.unpack(data, MAX_BYTES);
        } catch (Refused error) {
            throw new EdgesrException(
                    source + " is damaged (" + error.getMessage() + "); convert the network again", error);
        }
    }

    private static ProgramFile readUnpacked(byte[] data, String source) throws EdgesrException {
        if (data.length > MAX_BYTES) {
            throw new EdgesrException(source + " is larger than 1 GiB; no edgesr program is");
        }
        Format format = new FlatFile(data).hasText(4, Pte.IDENTIFIER) ? Format.PTE : Format.TFLITE;
        try {
            Contents contents = format == Format.PTE ? ofPte(data) : ofTflite(data);
            ProgramInfo info = ProgramInfo.fromJson(metadata(contents, source), source);
            checkAgreement(info, contents, source);
            return new ProgramFile(info, format, data);
        } catch (Refused error) {
            String wanted = format == Format.PTE ? ".pte" : ".tflite";
            throw new EdgesrException(
                    source + " is not a sound " + wanted + " file: " + error.getMessage() + "; convert it again",
                    error);
        }
    }

    /** What both formats hold: the metadata's bytes (or null), signatures by variant, the axes' order. */
    private static final class Contents {
        final byte[] metadata;
        final Map<String, Signature> signatures;
        final boolean channelsFirst;

        Contents(byte[] metadata, Map<String, Signature> signatures, boolean channelsFirst) {
            this.metadata = metadata;
            this.signatures = signatures;
            this.channelsFirst = channelsFirst;
        }

        /** Number format and shape of the program's input, or of a picture so many times as large. */
        String picture(ProgramInfo info, int times) {
            boolean resizable = info.sizes != null;
            int side = (channelsFirst && resizable ? info.sizes.max : info.tile) * times;
            return channelsFirst
                    ? TfliteTensor.format(TensorType.FLOAT32, resizable, 1, 3, side, side)
                    : TfliteTensor.format(TensorType.FLOAT32, resizable, 1, side, side, 3);
        }
    }

    private static Contents ofTflite(byte[] data) throws Refused {
        Tflite file = Tflite.read(data);
        FlatVector entry = file.metadata.get(METADATA_ENTRY);
        return new Contents(entry == null ? null : entry.toBytes(), file.signatures, false);
    }

    private static Contents ofPte(byte[] data) throws Refused {
        Pte file = Pte.read(data);
        return new Contents(file.strings.get(METADATA_ENTRY), file.methods, true);
    }

    private static byte[] metadata(Contents contents, String source) throws EdgesrException {
        if (contents.metadata == null) {
            throw new EdgesrException(source + " is not an edgesr program (it has no metadata named '"
                    + METADATA_ENTRY + "'); convert it");
        }
        if (contents.metadata.length > MAX_METADATA_BYTES) {
            throw new EdgesrException(
                    source + ": its metadata is larger than 16 MiB; convert the network again");
        }
        return contents.metadata;
    }

    /** The metadata's word about sizes and variants must be true of the signatures. */
    private static void checkAgreement(ProgramInfo info, Contents contents, String source) throws EdgesrException {
        TreeSet<String> names = new TreeSet<>(contents.signatures.keySet());
        if (!names.equals(new TreeSet<>(info.variants))) {
            throw new EdgesrException(source + ": its signatures (" + Rules.shown(names)
                    + ") are not its variants; convert the network again");
        }
        Signature wanted =
                Signature.of(contents.picture(info, 1), contents.picture(info, info.scale));
        for (String name : names) {
            if (!contents.signatures.get(name).sameAs(wanted)) {
                throw new EdgesrException(
                        source + ": signature '" + name + "' does not fit its metadata; convert it again");
            }
        }
    }
}
