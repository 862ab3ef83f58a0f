package java.lang.invoke;

/**
 * What javac looks for when it compiles lambdas against Android's classes of API 23, which hold nothing of it:
 * the tools that make an app turn lambdas into plain classes. Only for that check; never part of a build.
 */
public final class LambdaMetafactory {
    public static CallSite metafactory(
            MethodHandles.Lookup caller, String name, MethodType site, MethodType samType,
            MethodHandle implementation, MethodType type) {
        return null;
    }
}

class CallSite {}

class MethodHandle {}

class MethodType {}

class MethodHandles {
    static class Lookup {}
}
