package layerwise.guard;

import static com.tngtech.archunit.core.domain.JavaCall.Predicates.target;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideOutsideOfPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noCodeUnits;
import static com.tngtech.archunit.library.GeneralCodingRules.ACCESS_STANDARD_STREAMS;
import static com.tngtech.archunit.library.GeneralCodingRules.THROW_GENERIC_EXCEPTIONS;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.AccessTarget.CodeUnitCallTarget;
import com.tngtech.archunit.lang.ArchRule;

/** What holds for every class of every module. */
final class Rules {
    private static final String GENERATED = "layerwise.bindings..";

    static final ArchRule PACKAGES_HAVE_NO_CYCLES =
            slices().matching("layerwise.(**)").should().beFreeOfCycles();

    static final ArchRule ONLY_PROGRAMS_MEET_THE_STANDARD_STREAMS = noClasses()
            .that()
            .haveNameNotMatching(".*\\.(Main|\\w+Command)")
            .and(resideOutsideOfPackage(GENERATED)) // prints calls when jextract.trace.downcalls asks for it
            .should(ACCESS_STANDARD_STREAMS)
            .because("stdout is a command's result and stderr its talk: what is below Main and the commands is handed a"
                    + " stream");

    static final ArchRule NOTHING_DECLARES_THROWABLE = noCodeUnits()
            .should()
            .declareThrowableOfType(Throwable.class)
            .because("callers could only catch everything");

    static final ArchRule NOTHING_THROWS_A_BARE_EXCEPTION =
            noClasses().should(THROW_GENERIC_EXCEPTIONS).because("an exception's type says whose fault it is");

    static final ArchRule ONLY_NATIVE_MODULES_CALL_RESTRICTED_METHODS = noClasses()
            .that()
            .resideOutsideOfPackages(GENERATED, "layerwise.cuda..", "layerwise.mpi..")
            .should()
            .callCodeUnitWhere(target(isRestricted()))
            .because("a wrong argument to a restricted method can crash the JVM");

    static final ArchRule NAMES_SAY_WHAT_A_CLASS_IS = noClasses()
            .should()
            .haveNameMatching(".*(Utils?|Helper|Common|Manager|Impl)")
            .because("a helper without a home is a concept without a class");

    private Rules() {}

    /** The JDK marks what needs native access with an annotation that it keeps to itself, hence by name. */
    private static DescribedPredicate<CodeUnitCallTarget> isRestricted() {
        return DescribedPredicate.describe(
                "restricted method", target -> target.isAnnotatedWith("jdk.internal.javac.Restricted"));
    }
}
