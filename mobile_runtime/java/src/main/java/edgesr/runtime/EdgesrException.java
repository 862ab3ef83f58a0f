package edgesr.runtime;

/** What a user can act on: one clear line that says what is wrong, where, and what to do. */
public final class EdgesrException extends Exception {
    private static final long serialVersionUID = 1L;

    public EdgesrException(String message) {
        super(message);
    }

    public EdgesrException(String message, Throwable cause) {
        super(message, cause);
    }
}
