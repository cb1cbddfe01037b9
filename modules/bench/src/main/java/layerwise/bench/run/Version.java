package layerwise.bench.run;

/** This program's version. */
final class Version {
    private Version() {}

    /** As the module says it; a build of classes alone has none. */
    static String current() {
        return Version.class.getModule().getDescriptor().rawVersion().orElse("development");
    }
}
