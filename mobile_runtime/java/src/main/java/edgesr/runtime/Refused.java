package edgesr.runtime;

/**
 * Bytes break a rule; the message says which. The one who knows the file's name and what to do about it makes
 * it an {@link EdgesrException}.
 */
final class Refused extends Exception {
    private static final long serialVersionUID = 1L;

    Refused(String message) {
        super(message);
    }
}
